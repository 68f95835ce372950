//! What an expansion starts from: the invocation and the files that it names, and the problems found in them.

pub(crate) mod distinct;
pub(crate) mod files;
pub(crate) mod ids;
pub(crate) mod invocation;
pub(crate) mod locate;
pub(crate) mod order;
pub(crate) mod pointer;
pub(crate) mod problems;
