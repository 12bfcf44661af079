//! The configuration of TLS: Mozilla's root certificates, the same on every machine.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore};

use crate::error::Error;

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(default_provider())
}

pub(crate) fn roots() -> RootCertStore {
    RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    }
}

pub(crate) fn config(roots: RootCertStore) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(Error::failed)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
