//! `cargo xtask demo`: the gateway at work on real programs and real requests,
//! told in short chapters. Every chapter checks what it shows.

mod chapters;
mod client;
mod reload;
mod traffic;

use std::sync::mpsc;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::guests;
use crate::stage::{Addresses, Cast, Stage};
use crate::ui::heading;
use crate::workspace::{Binaries, Profile, Workspace};

/// How the demo is run.
#[derive(Args)]
pub(crate) struct Options {
    /// Keep everything running until Ctrl-C
    #[arg(long)]
    serve: bool,
    /// Use optimised programs, which take longer to build
    #[arg(long)]
    release: bool,
    /// Where clients go; 0 for any free port
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Where operators go; 0 for any free port
    #[arg(long, default_value_t = 9090)]
    admin_port: u16,
}

/// Builds what is needed and shows it.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    // Before anything is built: a port in use should not cost minutes.
    let addresses = Addresses::take(options.port, options.admin_port)?;
    guests::build(workspace, None)?;
    let profile = if options.release {
        Profile::Release
    } else {
        Profile::Dev
    };
    let binaries = Binaries::build(workspace, profile)?;
    let mut stage = Stage::start(workspace, &binaries, &Cast::DEMO, addresses)?;
    show(&mut stage)?;
    if options.serve { serve(&stage) } else { Ok(()) }
}

/// Tells all chapters; what the programs logged is kept when one goes wrong.
pub(crate) fn show(stage: &mut Stage) -> Result<()> {
    chapters::tell(stage)
        .and_then(|()| reload::tell(stage))
        .and_then(|()| chapters::tell_metrics(stage))
        .with_context(|| {
            format!(
                "the demo did not go as it should; configuration and logs are in {}",
                stage.keep_files().display()
            )
        })?;
    println!("\nAll of it went as it should.");
    Ok(())
}

fn serve(stage: &Stage) -> Result<()> {
    let (stop, stopped) = mpsc::channel();
    ctrlc::set_handler(move || {
        // Nobody listens after the first time, when we are on our way out.
        let _ = stop.send(());
    })?;
    heading("Yours to try");
    let gateway = &stage.gateway;
    println!(
        r#"curl {gateway}/v1/generate -H 'content-type: application/json' \
  -d '{{"model_id": "qwen2", "inputs": "What is a headworks?"}}'

curl -N {gateway}/v1/generate -H 'content-type: application/json' \
  -d '{{"model_id": "llama3", "inputs": "What is a headworks?", "stream": true}}'

curl {gateway}/v1/chat/completions -H 'content-type: application/json' \
  -d '{{"model": "qwen2", "messages": [{{"role": "user", "content": "Hi"}}]}}'

curl {gateway}/v1/models
curl {admin}/generation
curl {admin}/metrics

Edit {config} and watch {admin}/generation change. Ctrl-C ends it all."#,
        admin = stage.admin,
        config = stage.config.path().display(),
    );
    stopped.recv()?;
    println!("stopped");
    Ok(())
}
