use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate chain and its private key, in files that something else renews.
pub(crate) struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    /// Of the files that were loaded, or could not be loaded, last.
    seen: [Version; 2],
    config: Arc<ServerConfig>,
}

/// When a file was modified, and its length.
type Version = (SystemTime, u64);

impl Certificate {
    pub(crate) fn open(chain: PathBuf, key: PathBuf) -> Result<Self, Box<dyn Error>> {
        // Before the files are read: a change in between is then noticed.
        let seen = [version(&chain)?, version(&key)?];
        let config = load(&chain, &key)?;
        Ok(Self {
            chain,
            key,
            seen,
            config,
        })
    }

    /// The configuration for the next connection, with the certificate that is in the files now.
    pub(crate) fn current(&mut self) -> Arc<ServerConfig> {
        match self.reload() {
            Ok(()) => {}
            // One file was replaced, and the other not yet.
            Err(error) => eprintln!("certificate: {error}; the previous one stays in use"),
        }
        self.config.clone()
    }

    fn reload(&mut self) -> Result<(), Box<dyn Error>> {
        let now = [version(&self.chain)?, version(&self.key)?];
        if now != self.seen {
            // Once for each change, whether it can be loaded or not: anyone can connect.
            self.seen = now;
            self.config = load(&self.chain, &self.key)?;
        }
        Ok(())
    }
}

fn version(file: &Path) -> io::Result<Version> {
    let metadata = fs::metadata(file)?;
    Ok((metadata.modified()?, metadata.len()))
}

fn load(chain: &Path, key: &Path) -> Result<Arc<ServerConfig>, Box<dyn Error>> {
    let chain = CertificateDer::pem_file_iter(chain)?.collect::<Result<Vec<_>, _>>()?;
    if chain.len() == 1 {
        eprintln!("certificate: without intermediate ones, Cronofy refuses to connect");
    }
    let key = PrivateKeyDer::from_pem_file(key)?;
    // With TLS 1.2 and 1.3: rustls implements no other version.
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
