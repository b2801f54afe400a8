//! Nothing: cargo wants a library where there are only tests.
