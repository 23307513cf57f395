//! What `fixtures/manifest.toml` says of the entries of a file.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::{HarnessError, Result};

/// One entry of a file, as the manifest lists it.
pub(crate) struct Listed {
    manifest: PathBuf,
    /// The file and the number of the entry.
    place: String,
    fields: Table,
}

impl Listed {
    /// A configuration that a request declares.
    pub(crate) fn of_request(config: &serde_json::Value) -> Result<Self> {
        let fields = serde_json::from_value(config.clone());
        let fields =
            fields.map_err(|error| HarnessError::Stopped(format!("the config: {error}")))?;
        Ok(Self { manifest: "the request".into(), place: "config".to_owned(), fields })
    }

    /// What the entry is of: `"conv2d"`.
    pub(crate) fn kind(&self) -> &str {
        self.fields.get("kind").and_then(Value::as_str).unwrap_or_default()
    }

    /// The fields that `C` has.
    pub(crate) fn fields<C: DeserializeOwned>(&self) -> Result<C> {
        Table::try_into(self.fields.clone()).map_err(|error: toml::de::Error| self.invalid(error))
    }

    /// The declaration `like` with what the entry says of it.
    pub(crate) fn declaration<C: Serialize + DeserializeOwned>(&self, like: &C) -> Result<C> {
        let mut fields = Table::try_from(like).map_err(|error| self.invalid(error))?;
        for (name, value) in &mut fields {
            if let Some(own) = self.fields.get(name) {
                *value = if name == "pad" { padding(own.clone()) } else { own.clone() };
            }
        }
        // Which a declaration mentions only where there is none.
        if let Some(bias) = self.fields.get("bias") {
            fields.insert("bias".to_owned(), bias.clone());
        }
        Table::try_into(fields).map_err(|error: toml::de::Error| self.invalid(error))
    }

    /// The entry's own entries under this name: the layers of a network.
    pub(crate) fn parts(&self, name: &str) -> Vec<Self> {
        let parts = self.fields.get(name).and_then(Value::as_array).into_iter().flatten();
        let part = |(index, part): (usize, &Value)| Self {
            manifest: self.manifest.clone(),
            place: format!("{}, {name} {index}", self.place),
            fields: part.as_table().cloned().unwrap_or_default(),
        };
        parts.enumerate().map(part).collect()
    }

    /// The error for an entry that the manifest describes wrongly.
    pub(crate) fn invalid(&self, reason: impl std::fmt::Display) -> HarnessError {
        HarnessError::file(&self.manifest, format!("{}: {reason}", self.place))
    }
}

/// A number of cells or a pair, as the course writes padding, in the form that [`Pad`](cnn::Pad) has in files.
fn padding(value: Value) -> Value {
    let cells = match value {
        Value::Integer(_) => Value::Array(vec![value.clone(), value]),
        Value::Array(_) => value,
        named => return named,
    };
    Value::Table(Table::from_iter([("cells".to_owned(), cells)]))
}

/// The manifest of the fixtures.
#[derive(Debug, Deserialize)]
pub(crate) struct Manifest {
    #[serde(skip)]
    path: PathBuf,
    file: Vec<File>,
}

#[derive(Debug, Deserialize)]
struct File {
    path: String,
    /// Other files have other entries, or none.
    #[serde(default)]
    entry: Vec<Table>,
}

impl Manifest {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)
            .map_err(|error| HarnessError::file(path, format!("cannot be read: {error}")))?;
        let parsed = toml::from_str(&text).map_err(|error| HarnessError::file(path, error))?;
        Ok(Self { path: path.to_owned(), ..parsed })
    }

    /// The entries of a file, whose path is relative to the repository.
    pub(crate) fn entries(&self, path: &str) -> Result<Vec<Listed>> {
        let invalid = |reason| HarnessError::file(&self.path, reason);
        let file = self.file.iter().find(|file| file.path == path);
        let file =
            file.ok_or_else(|| invalid(format!("expected a [[file]] with path {path:?}")))?;
        let listed = |(index, fields): (usize, &Table)| {
            if fields.get("index").and_then(Value::as_integer) != Some(index as i64) {
                return Err(invalid(format!("{path}: expected entry {index} at its place")));
            }
            let (place, fields) = (format!("{path}, entry {index}"), fields.clone());
            Ok(Listed { manifest: self.path.clone(), place, fields })
        };
        file.entry.iter().enumerate().map(listed).collect()
    }
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
pub(crate) mod tests {
    use cnn::{Conv2DConfig, Pad};

    use super::*;

    fn listed(text: &str) -> Result<Vec<Listed>> {
        let folder = system::for_tests::folder(&[("manifest.toml", text)]);
        Manifest::read(&folder.path().join("manifest.toml"))?.entries("a.npz")
    }

    fn entry(rest: &str) -> String {
        format!("[[file]]\npath = \"a.npz\"\n[[file.entry]]\nindex = 0\n{rest}")
    }

    pub(crate) fn a_manifest_that_says_something_else_is_an_error() {
        for (text, expected) in [
            ("file = 3", "manifest.toml"),
            ("[[file]]\npath = \"b.npz\"", "a [[file]] with path \"a.npz\""),
            (&entry("").replace("index = 0", "index = 1"), "expected entry 0"),
        ] {
            let Err(error) = listed(text) else { panic!("{text} was accepted") };
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    pub(crate) fn a_declaration_takes_over_what_an_entry_says_and_padding_is_a_name_a_number_or_a_pair()
     {
        let like = Conv2DConfig::new(2, (3, 3));
        let declared = |rest: &str| listed(&entry(rest)).unwrap()[0].declaration(&like);
        for (pad, expected) in
            [("\"valid\"", Pad::Valid), ("2", Pad::Cells(2, 2)), ("[1, 0]", Pad::Cells(1, 0))]
        {
            let got = declared(&format!("kind = \"conv2d\"\nstride = 2\npad = {pad}")).unwrap();
            assert_eq!(got, Conv2DConfig { stride: 2, pad: expected, ..like.clone() });
        }
        let error = declared("n_out = \"three\"").unwrap_err().to_string();
        assert!(error.contains("a.npz, entry 0: invalid type"), "{error}");
    }
}
