"""What every room stands on: values, extension points, errors, paths, time-outs, processes, data files, terminal output."""
