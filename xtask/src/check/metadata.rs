//! What `cargo metadata` says of the workspace.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Deserialize;

use super::relative;

/// The packages of the workspace.
#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) packages: Vec<Package>,
}

/// A package of the workspace.
#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) edition: String,
    pub(super) description: Option<String>,
    pub(super) license: Option<String>,
    pub(super) rust_version: Option<String>,
    /// The registries that it may be published to; all, if `None`.
    pub(super) publish: Option<Vec<String>>,
    /// Its `Cargo.toml`, relative to the root.
    pub(super) manifest_path: PathBuf,
    pub(super) dependencies: Vec<Dependency>,
}

/// A dependency as declared.
#[derive(Deserialize)]
pub(super) struct Dependency {
    pub(super) name: String,
    /// `None` for a normal one, or `"dev"` or `"build"`.
    pub(super) kind: Option<String>,
    /// The name under which it is used, if another.
    pub(super) rename: Option<String>,
}

impl Metadata {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut metadata: Self = metadata::read(root, &["--no-deps"])?;
        for package in &mut metadata.packages {
            package.manifest_path = relative(&package.manifest_path, root).to_owned();
        }
        Ok(metadata)
    }
}

impl Package {
    /// Its folder, relative to the root.
    pub(super) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(Path::new(""))
    }
}
