//! Running a command, after saying which.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context, Result, ensure};
use system::{eprintln, quoted};

use crate::code_of;

/// A call of the cargo that runs this program.
pub(crate) fn cargo(subcommand: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.arg(subcommand);
    command
}

/// Builds a program of the workspace, showing progress, and returns the call that runs it silently.
///
/// It is named as a binary, not as a package: cargo then unites the features of dependencies over the
/// whole workspace, as for `cargo test`, instead of building them anew for each package.
pub(crate) fn program(name: &str) -> Result<Option<Command>> {
    let mut build = cargo("build");
    if !run(build.args(["--bin", name]))?.success() {
        return Ok(None);
    }
    let mut command = cargo("run");
    command.args(["--quiet", "--bin", name, "--"]);
    Ok(Some(command))
}

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The options of the program; --help prints them
    #[arg(
        value_name = "ARGUMENTS",
        num_args = 0..,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(crate) options: Vec<OsString>,
}

impl Options {
    /// Builds the program and runs it with these arguments before the options.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Result<ExitCode> {
        let Some(mut program) = self::program(program)? else { return Ok(ExitCode::FAILURE) };
        Ok(code_of(run(program.args(arguments).args(&self.options))?))
    }

    /// Runs the program compiled for release: what is timed must be as fast as it can be.
    pub(crate) fn run_for_release(&self, program: &str) -> Result<ExitCode> {
        let mut cargo = cargo("run");
        cargo.args(["--release", "--bin", program, "--"]);
        Ok(code_of(run(cargo.args(&self.options))?))
    }
}

/// Runs the command with this program's input and output.
pub(crate) fn run(command: &mut Command) -> Result<ExitStatus> {
    echo(command);
    command.status().with_context(|| format!("cannot run {}", line(command)))
}

/// Runs the command and hands each line that it writes, to output or error, to `each`, in order.
pub(crate) fn run_by_line(command: &mut Command, each: impl FnMut(&str)) -> Result<ExitStatus> {
    echo(command);
    by_line(command, each)
}

/// Runs the command without saying so; what it wrote, to output and error, in order.
pub(crate) fn output(command: &mut Command) -> Result<(ExitStatus, String)> {
    let mut lines = Vec::new();
    let status = by_line(command, |line| lines.push(line.to_owned()))?;
    Ok((status, lines.join("\n")))
}

fn by_line(command: &mut Command, mut each: impl FnMut(&str)) -> Result<ExitStatus> {
    // One pipe for both, or the order between the two would be lost.
    let (reader, writer) = std::io::pipe().context("cannot open a pipe")?;
    command.stdout(writer.try_clone().context("cannot copy a pipe")?).stderr(writer);
    let mut child = command.spawn().with_context(|| format!("cannot run {}", line(command)))?;
    // The command holds the writing end; while it is open, reading does not end.
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut buffer = Vec::new();
    let mut reader = BufReader::new(reader);
    while reader.read_until(b'\n', &mut buffer).context("cannot read from the command")? > 0 {
        each(String::from_utf8_lossy(&buffer).trim_end_matches(['\n', '\r']));
        buffer.clear();
    }
    child.wait().with_context(|| format!("cannot wait for {}", line(command)))
}

/// The end of a revision that files differ from.
pub(crate) const CHANGES: &str = ", with changes";

/// The last commit, its date, and whether files differ from it.
pub(crate) fn revision() -> Result<String> {
    let git = |arguments: &str| -> Result<String> {
        let (status, text) = output(Command::new("git").args(arguments.split_whitespace()))?;
        ensure!(status.success(), "git {arguments}: {text}");
        Ok(text)
    };
    let changed = git("status --porcelain --untracked-files=no")?;
    let commit = git("log -1 --format=%h,%x20%cs")?;
    Ok(if changed.is_empty() { commit } else { format!("{commit}{CHANGES}") })
}

pub(crate) fn echo(command: &Command) {
    eprintln!("$ {}", line(command));
}

/// The command as one would type it, with the variables it sets.
fn line(command: &Command) -> String {
    let variables = command.get_envs().filter_map(|(name, value)| {
        value.map(|value| format!("{}={}", name.display(), quoted(value)))
    });
    let program = std::path::Path::new(command.get_program());
    // Not the path of the toolchain's cargo, which nobody types.
    let program = if program.file_name() == Some(OsStr::new("cargo")) {
        "cargo".to_owned()
    } else {
        quoted(program)
    };
    let arguments = command.get_args().map(quoted);
    variables.chain([program]).chain(arguments).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_echoed_as_one_types_them() {
        let mut command = Command::new("/somewhere/bin/cargo");
        command.args(["doc", "--message", "it's"]).env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(line(&command), r"RUSTDOCFLAGS='-D warnings' cargo doc --message 'it'\''s'");
    }

    #[test]
    fn lines_of_output_and_error_come_in_order() {
        let mut lines = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo two >&2; printf three; exit 4"]);
        let status = run_by_line(&mut command, |line| lines.push(line.to_owned())).unwrap();
        assert_eq!(lines, ["one", "two", "three"]);
        assert_eq!(status.code(), Some(4));
    }

    #[test]
    fn a_program_that_is_missing_is_named() {
        let error = run(&mut Command::new("no-such-program")).unwrap_err();
        assert_eq!(error.to_string(), "cannot run no-such-program");
    }
}
