//! Estimates, intervals, paired tests and planning.
