"""The base of every room: values, extension points, errors, paths, time-outs, processes, data files, terminal output."""
