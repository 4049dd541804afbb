"""DynaSoC from Python. So far: sweeps and explorations on a Dask cluster (`dynasoc.distributed`)."""
