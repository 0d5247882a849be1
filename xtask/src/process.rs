//! Other programs: tools that run to their end, and services that end with us.

use std::fs::File;
use std::io::{BufRead as _, BufReader, PipeReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::ui::Step;

/// How often a condition that nobody announces is looked at.
const POLL: Duration = Duration::from_millis(20);

/// Runs a tool under a step; what it printed is shown when it fails.
pub(crate) fn run(step: &Step, command: Command) -> Result<()> {
    let name = describe(&command);
    let mut output = String::new();
    let status = stream(command, |line| {
        step.line(line);
        output.push_str(line);
        output.push('\n');
    })?;
    if !status.success() {
        step.dump(&output);
        bail!("`{name}` failed ({status})");
    }
    Ok(())
}

/// Runs a tool to its end, with each line of its stdout and stderr as it comes.
pub(crate) fn stream(mut command: Command, mut on_line: impl FnMut(&str)) -> Result<ExitStatus> {
    let name = describe(&command);
    let (reader, writer) = std::io::pipe().context("cannot make a pipe")?;
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let mut child = spawn(&mut command)?;
    // The command holds the writing ends of the pipe; the reader ends when the last is closed.
    drop(command);
    each_line(reader, &mut on_line).with_context(|| format!("cannot read what `{name}` prints"))?;
    child
        .wait()
        .with_context(|| format!("cannot wait for `{name}`"))
}

/// Runs a tool and takes its stdout.
pub(crate) fn capture(mut command: Command) -> Result<String> {
    let name = describe(&command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run `{name}`"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "`{name}` failed ({}): {}",
        output.status,
        errors.trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Looks at a condition until it holds a value, fails, or the time is up.
pub(crate) fn wait_for<T>(
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<Option<T>> {
    let deadline = Instant::now() + limit;
    loop {
        let found = look()?;
        if found.is_some() || Instant::now() >= deadline {
            return Ok(found);
        }
        std::thread::sleep(POLL);
    }
}

/// A program that runs until this value is dropped. What it prints goes to a file.
pub(crate) struct Service {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Service {
    /// Starts a program; `folder` gets its log.
    pub(crate) fn start(name: &str, command: &Command, folder: &Path) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = ending_with_us(command);
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        Ok(Self {
            name: name.to_owned(),
            child: spawn(&mut command)?,
            log,
        })
    }

    /// Waits until `look` finds a value; says what the program printed when it does not.
    pub(crate) fn wait_for<T>(
        &mut self,
        limit: Duration,
        mut look: impl FnMut(&str) -> Option<T>,
    ) -> Result<T> {
        let (name, log) = (self.name.clone(), self.log.clone());
        let printed = || std::fs::read_to_string(&log).unwrap_or_default();
        let found = wait_for(limit, || match self.child.try_wait()? {
            Some(status) => bail!("{name} ended ({status}); it printed:\n{}", printed().trim()),
            None => Ok(look(&printed())),
        })?;
        found.with_context(|| {
            format!(
                "{name} is not ready after {limit:?}; it printed:\n{}",
                printed().trim()
            )
        })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command as one would type it.
pub(crate) fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program());
    std::iter::once(program)
        .chain(command.get_args())
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The same command, killed by the kernel when we are, where the system can do that.
fn ending_with_us(command: &Command) -> Command {
    const SETPRIV: &str = "/usr/bin/setpriv";
    if !Path::new(SETPRIV).exists() {
        let mut same = Command::new(command.get_program());
        same.args(command.get_args());
        return same;
    }
    let mut wrapped = Command::new(SETPRIV);
    wrapped
        .args(["--pdeathsig", "KILL", "--"])
        .arg(command.get_program())
        .args(command.get_args());
    wrapped
}

fn spawn(command: &mut Command) -> Result<Child> {
    command
        .spawn()
        .with_context(|| format!("cannot run `{}`", describe(command)))
}

fn each_line(reader: PipeReader, on_line: &mut impl FnMut(&str)) -> std::io::Result<()> {
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        on_line(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn lines_of_both_streams_arrive_in_order() {
        let mut lines = Vec::new();
        let status = stream(
            shell("echo one; echo two >&2; echo three; exit 3"),
            |line| lines.push(line.to_owned()),
        );
        assert_eq!(status.unwrap().code(), Some(3));
        assert_eq!(lines, ["one", "two", "three"]);
    }

    #[test]
    fn a_service_that_ends_early_tells_what_it_printed() {
        let folder = tempfile::tempdir().unwrap();
        let mut service = Service::start(
            "teller",
            &shell("echo no such model; exit 1"),
            folder.path(),
        )
        .unwrap();
        let error = service
            .wait_for(Duration::from_secs(60), |_| None::<()>)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("teller ended") && error.contains("no such model"),
            "{error}"
        );
    }

    #[test]
    fn a_service_ends_when_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let mut service =
            Service::start("sleeper", &shell("echo $$; exec sleep 600"), folder.path()).unwrap();
        let id = service
            .wait_for(Duration::from_secs(60), |log| {
                log.trim().parse::<u32>().ok()
            })
            .unwrap();
        drop(service);
        let gone = wait_for(Duration::from_secs(60), || {
            Ok((!Path::new(&format!("/proc/{id}")).exists()).then_some(()))
        });
        assert!(gone.unwrap().is_some());
    }
}
