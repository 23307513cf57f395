//! Nothing to do: without a build script, cargo would not look at the dependencies of one.

use syn as _;

fn main() {}
