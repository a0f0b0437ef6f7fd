"""Writers of further C files of the interposer: each module here has a function `write(folder)`, which leaves them there."""
