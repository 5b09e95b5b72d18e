//! What Python says of this program: the wheel, installed where there is no Rust, against NumPy, scikit-learn, SciPy, statsmodels, Keras, a
//! type checker and a notebook. `requirements.txt` has their versions; they are installed once, below the target folder.

mod environment;
mod recompute;
mod wheel;
