//! `headway audit`: verifies the activity log, or prints it.

use anyhow::Context as _;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use headway::config::DATABASE_FILE;
use headway::queries::audit::{Export, verify, verify_lines};
use headway::store::{Filter, Store};
use std::fs::File;
use std::io::{BufReader, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be done with the log.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Walks along the whole log and says the number and the hash of its last entry, or which entry does not fit.
    ///
    /// Ends with 1 when the log does not verify, and with 2 when it cannot be read. A Headway may work on it meanwhile.
    Verify {
        #[command(flatten)]
        place: Place,
        /// An export to verify in place of the database.
        #[arg(long)]
        file: Option<PathBuf>,
        /// A hash that was noted earlier; one of the entries must have it.
        #[arg(long, value_name = "HASH", value_parser = NonEmptyStringValueParser::new())]
        head: Option<String>,
    },
    /// Prints the whole log as JSON lines, oldest first.
    Export {
        #[command(flatten)]
        place: Place,
    },
}

/// Where the log is.
#[derive(Args, Debug)]
pub struct Place {
    /// The folder that holds the database.
    #[arg(long, env = "HEADWAY_DATA", default_value = "data")]
    data: PathBuf,
    /// A PostgreSQL address; without it the database is a SQLite file in the data folder.
    #[arg(long, env = "HEADWAY_DATABASE", hide_env_values = true)]
    database: Option<String>,
}

impl Place {
    async fn open(&self) -> anyhow::Result<Store> {
        let opened = match &self.database {
            Some(address) => Store::open_postgres_to_read(address).await,
            None => Store::open_sqlite_to_read(&self.data.join(DATABASE_FILE)).await,
        };
        opened.context("cannot open the database")
    }
}

/// Does it; ends with 1 when the log does not verify.
pub async fn run(audit: Audit) -> anyhow::Result<ExitCode> {
    match audit {
        Audit::Verify { place, file, head } => {
            let noted = head.map(|head| head.trim().to_ascii_lowercase());
            let verified = match file {
                Some(file) => {
                    let cannot = || format!("cannot read {}", file.display());
                    let lines = BufReader::new(File::open(&file).with_context(cannot)?);
                    verify_lines(lines, noted).with_context(cannot)?
                }
                None => verify(&place.open().await?, noted).await.context(
                    "cannot read the activity log. Has this version of Headway been started on the database yet?",
                )?,
            };
            Ok(match verified {
                Ok(head) => {
                    println!("The activity log verifies up to entry {}, head {}", head.number, head.hash);
                    ExitCode::SUCCESS
                }
                Err(misfit) => {
                    eprintln!("The activity log does not verify. {misfit}");
                    ExitCode::FAILURE
                }
            })
        }
        Audit::Export { place } => {
            let store = place.open().await?;
            let mut export = Export::begin(&store, Filter::default()).await.context("cannot read the activity log")?;
            while let Some(lines) = export.next(&store).await.context("cannot read the activity log")? {
                std::io::stdout().write_all(lines.as_bytes()).context("cannot print the activity log")?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}
