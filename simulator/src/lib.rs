//! A small stateful GitHub over real bare Git repositories.
