"""Which hooks hosts require, measured with modules that lack one."""
