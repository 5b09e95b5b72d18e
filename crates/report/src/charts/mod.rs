//! What is drawn: every picture is a [`scene::Scene`], which becomes PNG, SVG or PDF.

pub(crate) mod axis;
pub(crate) mod canvas;
pub(crate) mod chart;
pub(crate) mod contact_sheet;
pub(crate) mod curves;
pub(crate) mod figures;
pub(crate) mod font;
pub(crate) mod forest;
pub(crate) mod legend;
pub(crate) mod marks;
pub(crate) mod painter;
pub(crate) mod pdf;
pub(crate) mod plots;
pub(crate) mod raster;
pub mod scene;
pub(crate) mod subset;
pub(crate) mod svg;
