//! Layers, models, losses, initialisers and optimisers.
