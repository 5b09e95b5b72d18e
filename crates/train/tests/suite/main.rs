//! Trainings as a whole.

mod bits;
