"""Programs to read, to run (`python -m dynasoc.examples.train_agent`) and to start from."""
