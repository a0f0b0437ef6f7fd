"""A corpus of foreign-looking modules: what `dmconform check` says of each is compared with files that somebody has read.

`catalogue.py` lists them, `recipes.py` and `sources/` make them, `golden/` has the expected texts, and
`python -m tests.corpus.update` writes these anew.
"""
