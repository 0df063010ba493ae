"""The virtual agent and its knowledge base: a function from turns to a draft."""
