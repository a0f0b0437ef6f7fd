"""One run on several machines: the plan is split, each machine runs its shard, the reports are joined."""
