//! Training on real data.
