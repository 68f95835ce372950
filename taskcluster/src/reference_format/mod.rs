#![doc = include_str!("page.md")]

/// The JSON Schema of the format, for editors and other tools.
///
/// It is draft 7, and describes references of endpoints and of exchanges, of both generations. What it cannot express, such as
/// that a route has the arguments of `args`, only [`taskcluster_api!`](crate::taskcluster_api) checks.
///
/// ```no_run
/// std::fs::write("api/reference.schema.json", taskcluster::reference_format::SCHEMA)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub const SCHEMA: &str = include_str!("schema.json");
