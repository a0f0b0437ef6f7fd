"""`dmconform check`: a verdict for a module of which only the file is there."""
