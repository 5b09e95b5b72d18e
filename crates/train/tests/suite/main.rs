//! Trainings as a whole. One binary, so that it links once.

mod common;
mod engine;
mod fit;
mod same;
mod views;
