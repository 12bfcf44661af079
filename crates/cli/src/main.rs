//! Tests a receiver of Cronofy push notifications, in any language.

#![cfg_attr(
    test,
    expect(clippy::unwrap_used, reason = "a test fails by panicking")
)]

mod check;
mod client;
mod edit;
mod error;
mod fault;
mod finding;
mod generate;
mod hint;
mod input;
mod listen;
mod output;
mod progress;
mod record;
mod replay;
mod report;
mod samples;
mod secrets;
mod simulate;
mod target;
mod text;
mod times;
mod tls;
mod trigger;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::check::Check;
use crate::error::Error;
use crate::generate::{Completions, ManPage};
use crate::listen::Listen;
use crate::output::{Output, note};
use crate::replay::Replay;
use crate::samples::Samples;
use crate::simulate::Simulate;
use crate::text::Escaped;
use crate::trigger::Trigger;
use crate::verify::Verify;

/// Tests a receiver of Cronofy push notifications, in any language
///
/// Cronofy signs each delivery with the client secret of the application and waits 5 seconds for a 2xx. The client secret is
/// in the environment variable `CRONOFY_CLIENT_SECRET` or in a file, never an argument.
///
/// The exit status is 0 if all is as wanted, 1 if it is not, and 2 if the command cannot be carried out as it was given.
#[derive(Parser)]
#[command(
    name = "cronofy-webhook",
    bin_name = "cronofy-webhook",
    version,
    max_term_width = 100,
    after_help = "Examples:
  cronofy-webhook trigger change --to 3000/cronofy/42
  cronofy-webhook listen --to 3000/cronofy
  cronofy-webhook check https://receiver.example/cronofy/42
  cronofy-webhook simulate --to 3000/cronofy/42 --fault status=503@10%
  cronofy-webhook verify --body body.json --signature 38ArsN7+J/O8joGsgirVEdV16a/+eb+5QgHGIiuv4hk="
)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Print JSON, one object a line
    #[arg(long, global = true, display_order = 100)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    Samples(Samples),
    Trigger(Trigger),
    Listen(Listen),
    Replay(Replay),
    Verify(Verify),
    Check(Check),
    Simulate(Simulate),
    Completions(Completions),
    #[command(name = "man", hide = true)]
    Man(ManPage),
}

fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| exit(&error));
    match run(&cli) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            note(format_args!("error: {}", Escaped(&error.to_string())));
            ExitCode::from(error.exit_status())
        }
    }
}

/// Prints what clap has to say, escaped if it quotes hidden characters of an argument.
fn exit(error: &clap::Error) -> ! {
    let text = error.render().to_string();
    let is_hostile = text.lines().any(|line| Escaped(line).to_string() != line);
    if !is_hostile {
        error.exit();
    }
    for line in text.lines() {
        note(Escaped(line));
    }
    std::process::exit(error.exit_code())
}

/// Whether all is as wanted.
fn run(cli: &Cli) -> Result<bool, Error> {
    let output = Output { json: cli.json };
    match &cli.command {
        Command::Samples(samples) => samples.run(output),
        Command::Trigger(trigger) => block_on(trigger.run(output)),
        Command::Listen(listen) => block_on(listen.run(output)),
        Command::Replay(replay) => block_on(replay.run(output)),
        Command::Verify(verify) => verify.run(output),
        Command::Check(check) => block_on(check.run(output)),
        Command::Simulate(simulate) => block_on(simulate.run(output)),
        Command::Completions(completions) => completions.run(Cli::command(), output),
        Command::Man(page) => page.run(Cli::command(), output),
    }
}

fn block_on(command: impl Future<Output = Result<bool, Error>>) -> Result<bool, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::failed)?;
    let result = runtime.block_on(command);
    // What still runs in a thread of its own is for a page or a name that nobody waits for any more.
    runtime.shutdown_background();
    result
}
