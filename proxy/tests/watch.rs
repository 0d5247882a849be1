//! The watch over configuration and filters, on real files.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::FutureExt;
use headworks::config::Watch;
use tempfile::TempDir;

fn folder_with(file: &str, content: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(file);
    fs::write(&file, content).unwrap();
    (folder, file)
}

async fn notices(watch: &mut Watch) {
    tokio::time::timeout(Duration::from_secs(20), watch.changed())
        .await
        .expect("the change is noticed");
}

#[tokio::test]
async fn notices_a_write() {
    let (_folder, file) = folder_with("a.toml", "one");
    let mut watch = Watch::start([file.clone()]).unwrap();
    fs::write(&file, "two").unwrap();
    notices(&mut watch).await;
    fs::write(&file, "three").unwrap();
    notices(&mut watch).await;
}

#[tokio::test]
async fn notices_a_file_renamed_over_it() {
    let (folder, file) = folder_with("a.toml", "one");
    let mut watch = Watch::start([file.clone()]).unwrap();
    for content in ["two", "three"] {
        let new = folder.path().join("a.toml.new");
        fs::write(&new, content).unwrap();
        fs::rename(&new, &file).unwrap();
        notices(&mut watch).await;
    }
}

#[tokio::test]
async fn notices_a_removal_and_a_new_file() {
    let (_folder, file) = folder_with("a.toml", "one");
    let mut watch = Watch::start([file.clone()]).unwrap();
    fs::remove_file(&file).unwrap();
    notices(&mut watch).await;
    fs::write(&file, "one").unwrap();
    notices(&mut watch).await;
}

#[tokio::test]
async fn notices_a_folder_that_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let [live, old, new] = ["live", "old", "new"].map(|name| folder.path().join(name));
    for (folder, content) in [(&live, "one"), (&new, "two")] {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("a.toml"), content).unwrap();
    }
    let mut watch = Watch::start([live.join("a.toml")]).unwrap();
    fs::rename(&live, &old).unwrap();
    fs::rename(&new, &live).unwrap();
    notices(&mut watch).await;
    fs::write(live.join("a.toml"), "three").unwrap();
    notices(&mut watch).await;
}

/// A ConfigMap as Kubernetes mounts it: `a.toml -> ..data/a.toml`, `..data -> ..1`.
#[tokio::test]
async fn notices_each_swap_of_a_config_map() {
    let folder = tempfile::tempdir().unwrap();
    mount(folder.path(), 1);
    symlink("..data/a.toml", folder.path().join("a.toml")).unwrap();
    let mut watch = Watch::start([folder.path().join("a.toml")]).unwrap();
    for version in 2..5 {
        mount(folder.path(), version);
        notices(&mut watch).await;
        fs::remove_dir_all(folder.path().join(format!("..{}", version - 1))).unwrap();
    }
}

fn mount(folder: &Path, version: u32) {
    let target = format!("..{version}");
    fs::create_dir(folder.join(&target)).unwrap();
    fs::write(folder.join(&target).join("a.toml"), target.as_bytes()).unwrap();
    symlink(&target, folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
}

#[tokio::test]
async fn watches_the_files_of_a_new_set() {
    let (_old_folder, old) = folder_with("old.wasm", "one");
    let (_new_folder, new) = folder_with("new.wasm", "one");
    let mut watch = Watch::start([old.clone()]).unwrap();
    for file in [new, old] {
        watch.replace([file.clone()]).await;
        fs::write(&file, "two").unwrap();
        notices(&mut watch).await;
    }
}

#[tokio::test]
async fn a_waiter_that_gave_up_loses_no_change() {
    let (_folder, file) = folder_with("a.toml", "one");
    let mut watch = Watch::start([file.clone()]).unwrap();
    assert!(watch.changed().now_or_never().is_none());
    fs::write(&file, "two").unwrap();
    notices(&mut watch).await;
}

#[tokio::test]
async fn reports_a_file_that_is_written_without_end() {
    let (_folder, file) = folder_with("a.toml", "");
    let mut watch = Watch::start([file.clone()]).unwrap();
    let enough = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for content in 0_u64.. {
                if enough.load(Ordering::Relaxed) {
                    return;
                }
                fs::write(&file, content.to_string()).unwrap();
            }
        });
        futures::executor::block_on(watch.changed());
        enough.store(true, Ordering::Relaxed);
    });
}
