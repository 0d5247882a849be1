//! What the cards of this machine say of their memory.

use bytesize::ByteSize;
use tokio::process::Command;

/// Memory in use on all cards together; none where `nvidia-smi` is not there, or
/// says nothing of it.
pub(super) async fn memory() -> Option<ByteSize> {
    let mut command = Command::new("nvidia-smi");
    command.args(["--query-gpu=memory.used", "--format=csv,noheader,nounits"]);
    let said = command.output().await.ok()?;
    said.status.success().then_some(())?;
    sum(&String::from_utf8(said.stdout).ok()?)
}

/// One line for each card, in MiB.
fn sum(lines: &str) -> Option<ByteSize> {
    let mut all = None;
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let mib: u64 = line.trim().parse().ok()?;
        all = Some(all.unwrap_or(0) + mib);
    }
    all.map(ByteSize::mib)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_all_cards_is_added_up() {
        assert_eq!(sum("5400\n 6000\n"), Some(ByteSize::mib(11_400)));
        assert_eq!(sum(""), None);
        assert_eq!(sum("[N/A]\n"), None);
    }
}
