"""The attacks with files of strangers."""

from __future__ import annotations

from tests.attack.attack import Attack
from tests.attack.files.abi_data import ABI_DATA
from tests.attack.files.archives import CELL_ARCHIVES, OUTPUTS
from tests.attack.files.elf import HOSTS, MODULES
from tests.attack.files.headers import HEADERS
from tests.attack.files.reports import REPORTS
from tests.attack.files.settings import SETTINGS
from tests.attack.files.wheels import WHEELS

FILES: tuple[Attack, ...] = (MODULES, HOSTS, HEADERS, ABI_DATA, REPORTS, SETTINGS, WHEELS, OUTPUTS, CELL_ARCHIVES)
