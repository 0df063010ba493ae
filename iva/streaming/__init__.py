"""The live stream: one small asynchronous process that tells open pages what has changed (decision 0021)."""
