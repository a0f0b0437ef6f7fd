// The data of the page: written from the types in harness/dmconform/report/page by `./toxw -e schema`.

/** The ending of a cell. */
export type Outcome = "pass" | "fail" | "crash" | "hang" | "rejected" | "error" | "not tested" | "not applicable";

/** The way the outcome of a cell counts in the end. */
export type Judgement =
  | "pass"
  | "fail"
  | "xfail"
  | "xpass"
  | "static/run-time mismatch"
  | "changed fact"
  | "informational"
  | "error"
  | "skip";

/** The promise of the documents for the pair of SDK and host of a cell. */
export type Relation = "supported" | "legacy" | "unsupported";

/** What cells share. */
export interface Look {
  glyph: string;
  word: string;
  style: string;
  flag: string;
  outcome: Outcome;
  judgement: Judgement;
  severity: string;
  meaning: string;
  relation: Relation;
  relationReason: string;
  detail: string;
  log: string;
  abi: string;
  load: string;
  symbol: string;
  mismatch: string;
  record: string;
  evidence: string;
  reproduce: string;
  reruns: string;
}

/** Parallel lists: a value for each cell, in the report's order. `looks` are what cells share, in `LOOK_FIELDS`' order. */
export interface PackedCells {
  lookFields: string[];
  looks: number[][];
  facts: [number, number][][];
  case: number[];
  column: number[];
  look: number[];
  fact: number[];
  tookMs: number[];
  module: number[];
  otherIds: Record<string, string>;
}

/** An SDK version with the hosts that it has columns for. */
export interface SdkData {
  id: string;
  language: string;
  languageName: string;
  provider: string;
  minor: string;
}

/** One SDK version on one host. `window` is the best relation of its cells, as in the table of the answer. */
export interface ColumnData {
  sdk: number;
  host: string;
  window: Relation;
  state: string;
  abi: string;
  static: number;
}

/** An extension point, and whether any case is about it. */
export interface PointData {
  id: string;
  hasCases: boolean;
}

/** A case: a row of the matrix. Requirements are positions. */
export interface CaseData {
  id: string;
  title: string;
  requirements: number[];
  source: string;
}

/** A sentence of the documents, and how its cases ended in this run: counts of cells. */
export interface RequirementData {
  id: string;
  statement: string;
  document: string;
  section: string;
  link: string;
  level: string;
  hosts: string;
  uncovered: string;
  cases: string[];
  status: string;
  passed: number;
  failed: number;
  xfail: number;
  notRun: number;
  informational: number;
}

/** A behaviour that Envoy's own tests check, and what shows it on real releases. */
export interface EnvoyTestData {
  id: string;
  section: string;
  asserts: string;
  shown: string[];
  reason: string;
}

/** What static analysis says of a probe on some hosts. */
export interface StaticData {
  sdk: string;
  hosts: string[];
  words: string;
  kind: string;
  reason: string;
  fits: boolean;
  missing: number;
  names: string[];
  notes: string[];
}

/** Cells that fail for one cause; its text is given by its number. */
export interface CauseData {
  id: string;
  judgement: Judgement;
  isLoader: boolean;
  record: string;
  text: number;
  cells: number[];
  reruns: string;
}

/** A record of a known failure. `issue` is an address of the web, or says that there is none. */
export interface RecordData {
  id: string;
  title: string;
  fault: string;
  issue: string;
  workaround: string;
  reason: string;
  evidence: string;
  cells: number;
  xpass: number;
}

/** A finding that no supported cell shows. */
export interface FindingData {
  id: string;
  title: string;
  document: string;
  seen: string;
  hosts: string[];
  sdks: string[];
  fault: string;
  command: string;
  byHand: string;
  issue: string;
  workaround: string;
}

/** What is wrong with a record, and the command that fixes it. */
export interface InconsistencyData {
  kind: string;
  meaning: string;
  record: string;
  cells: string[];
  text: string;
  fix: string;
}

/** Cells with the same static/run-time mismatch. */
export interface MismatchData {
  sdk: string;
  host: string;
  text: string;
  counts: boolean;
  cells: number[];
}

/** Cells that did not run for the same reason. */
export interface UnrunData {
  outcome: Outcome;
  judgement: Judgement;
  reason: string;
  count: number;
  example: number;
}

/** The functions of the ABI from `old` to `new`. None: the report does not have them. */
export interface AbiStep {
  old: string;
  new: string;
  before: number | null;
  after: number | null;
  kept: number;
  removed: number | null;
  added: number | null;
  changed: number;
  exact: number;
  nearby: number;
  unknown: number;
}

/** A change of the ABI that breaks modules already built. */
export interface AbiFindingData {
  old: string;
  new: string;
  subject: string;
  kind: string;
  how: string;
  points: string[];
  usedBy: string[];
  detail: string;
  certain: boolean;
}

/** Cells are positions in the newer report; the texts of `was` are positions in the page's texts. */
export interface Changes {
  since: string;
  was: Record<string, [number, number, number, number]>;
  new: number[];
  gone: number;
}

/** The data of the page. `point_states` is what an extension point comes to in a column: its place, the column's, the word of the field and why it is not applicable or was not tested, as numbers of texts. */
export interface PageData {
  texts: string[];
  cells: PackedCells;
  sdks: SdkData[];
  columns: ColumnData[];
  modifiedHosts: string[];
  points: PointData[];
  pointStates: [number, number, number, number][];
  cases: CaseData[];
  requirements: RequirementData[];
  covered: string;
  envoyTests: EnvoyTestData[];
  static: StaticData[];
  causes: CauseData[];
  records: RecordData[];
  findings: FindingData[];
  inconsistencies: InconsistencyData[];
  mismatches: MismatchData[];
  unrun: UnrunData[];
  abiSteps: AbiStep[];
  abiFindings: AbiFindingData[];
  changes: Changes | null;
  severities: string[];
  calm: boolean;
}
