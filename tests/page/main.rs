//! `mnist-study page`: its server keeps others out, and its engine answers as `docs/reference/page.md` says.

mod attacks;
mod engine;
mod server;
