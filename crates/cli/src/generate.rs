//! What packagers install beside the binary.

use clap::{Args, Command};
use clap_complete::{Shell, generate};
use clap_mangen::Man;

use crate::error::Error;
use crate::output::Output;

/// Prints the completions for a shell
#[derive(Args)]
#[command(after_help = "Example:
  cronofy-webhook completions bash > ~/.local/share/bash-completion/completions/cronofy-webhook")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self, mut command: Command, output: Output) -> Result<bool, Error> {
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        generate(self.shell, &mut command, name, &mut script);
        output.bytes(&script)?;
        Ok(true)
    }
}

/// Prints the man page of the program or of one of its commands
#[derive(Args)]
#[command(after_help = "Example:
  cronofy-webhook man trigger > cronofy-webhook-trigger.1")]
pub(crate) struct ManPage {
    /// The command
    command: Option<String>,
}

impl ManPage {
    pub(crate) fn run(&self, mut command: Command, output: Output) -> Result<bool, Error> {
        command.build();
        let command = match &self.command {
            None => command,
            Some(name) => command
                .find_subcommand(name)
                .ok_or_else(|| Error::usage(format!("there is no command {name:?}")))?
                .clone(),
        };
        let mut page = Vec::new();
        Man::new(command).render(&mut page).map_err(Error::failed)?;
        output.bytes(&page)?;
        Ok(true)
    }
}
