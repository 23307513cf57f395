//! PyTorch as a peer.

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::json;

use crate::peer::request;
use crate::{BenchModel, By, Peer, Subject, Torch};

/// The program of the child, handed over as an argument.
const PROGRAM: &str = include_str!("../peers/torch_steps.py");

/// How the child gets its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocator {
    /// As glibc gives it: a large array comes from the system, which fills it with zeros, page by page,
    /// and goes back to it.
    Default,
    /// Nothing goes back, so that what was freed is used again.
    Tuned,
}

/// glibc takes no more than 32 MiB for the threshold above which it asks the system for an array of
/// its own, so that is switched off as a whole.
const TUNED: [(&str, &str); 3] = [
    ("MALLOC_MMAP_MAX_", "0"),
    ("MALLOC_TRIM_THRESHOLD_", "17179869184"),
    ("MALLOC_TOP_PAD_", "268435456"),
];

impl Allocator {
    fn environment(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Default => &[],
            Self::Tuned => &TUNED,
        }
    }

    /// Whose code a case of the child is.
    #[must_use]
    pub fn by(self) -> By {
        match self {
            Self::Default => By::Pytorch,
            Self::Tuned => By::PytorchTuned,
        }
    }
}

/// What the child says first.
#[derive(Deserialize)]
#[serde(untagged)]
enum Hello {
    Ready { torch: String, python: String },
    Failed { error: String },
}

#[derive(Deserialize)]
struct Peak {
    bytes: u64,
}

impl Peer {
    /// PyTorch, run by this Python, and what a record says of it.
    ///
    /// # Errors
    /// If there is no such Python, or it has no PyTorch.
    pub fn torch(python: &str, allocator: Allocator) -> Result<(Self, Torch)> {
        let mut command = Command::new(python);
        command.args(["-u", "-c", PROGRAM]).envs(allocator.environment().iter().copied());
        let mut peer = Self::spawn(&mut command, allocator.by()).with_context(|| {
            format!("--torch needs a Python with PyTorch, but `{python}` cannot be run; name another with --torch=PYTHON")
        })?;
        let hello = peer.receive();
        match hello.with_context(|| format!("--torch needs a Python, but is `{python}` one?"))? {
            Hello::Ready { torch: version, python } => {
                let tuned = TUNED.iter().map(|(name, value)| format!("{name}={value}")).collect();
                Ok((peer, Torch { version, python, tuned }))
            }
            Hello::Failed { error } => bail!(
                "--torch needs a Python with PyTorch, but `{python}` says: {error}; install it there, or \
                 name another with --torch=PYTHON"
            ),
        }
    }

    /// The peak memory of a PyTorch that makes some training steps and nothing else, in bytes.
    ///
    /// # Errors
    /// If it fails.
    pub fn torch_peak_memory(
        python: &str,
        model: &BenchModel,
        batch: usize,
        threads: usize,
    ) -> Result<u64> {
        let (mut peer, _) = Self::torch(python, Allocator::Default)?;
        let subject = Subject::Step { model: model.name.to_owned(), width: model.width };
        let mut request = request("memory", &subject, batch, threads, Some(model))?;
        request["ask"] = json!("peak_memory");
        let Peak { bytes } = peer.ask(&request)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_python_that_is_none_is_named() {
        let error = Peer::torch("/no/such/python", Allocator::Default).err().unwrap();
        assert!(error.to_string().contains("`/no/such/python` cannot be run"), "{error:#}");
        let error = Peer::torch("true", Allocator::Default).err().unwrap();
        assert!(format!("{error:#}").contains("is `true` one?"), "{error:#}");
    }
}
