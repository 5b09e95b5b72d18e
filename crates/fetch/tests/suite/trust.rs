//! Which servers are believed to be who they say.

use crate::sets::{fetch_telling, impatient, sample};
use fetch::FetchError;
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

fn certificates(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/certificates").join(name)
}

/// A server that answers over TLS with the files of the sample, by a certificate of nobody whom browsers know; its address.
fn secure_server() -> String {
    let chain = vec![CertificateDer::from_pem_file(certificates("server.pem")).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(certificates("server.key")).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("they belong together");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        let files = sample(true, &[]);
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
            let mut stream = BufReader::new(StreamOwned::new(connection, stream));
            let mut line = String::new();
            // A client that trusts nobody goes away here.
            if stream.read_line(&mut line).is_err() || line.is_empty() {
                continue;
            }
            let file = files.file(line.split(' ').nth(1).unwrap_or_default());
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", file.len());
            let stream = stream.get_mut();
            let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&file));
            stream.conn.send_close_notify();
            drop(sent.and_then(|()| stream.flush()));
        }
    });
    format!("https://localhost:{port}/")
}

#[test]
fn a_server_is_believed_by_the_certificates_that_are_named() {
    let address = secure_server();
    let folder = tempfile::tempdir().expect("a folder");
    let toy = sample(true, &[address]).set;
    let error = fetch_telling(&toy, folder.path(), &impatient()).0.expect_err("nobody has signed for it");
    assert!(error.to_string().contains("certificate"), "{error}");
    let mut options = impatient();
    options.certificates = Some(certificates("ca.pem"));
    let (result, told) = fetch_telling(&toy, folder.path(), &options);
    result.unwrap_or_else(|error| panic!("{error}: {told:?}"));
    data::load_published(&toy, folder.path()).expect("loaded");
}

#[test]
fn a_file_without_certificates_is_refused_before_anything_is_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let none = folder.path().join("none.pem");
    std::fs::write(&none, "no certificates here\n").expect("written");
    let broken = folder.path().join("broken.pem");
    std::fs::write(&broken, "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n")
        .expect("written");
    for path in [none, broken, folder.path().join("absent.pem"), folder.path().to_owned()] {
        let mut options = impatient();
        options.certificates = Some(path.clone());
        let (result, told) = fetch_telling(&sample(true, &[]).set, folder.path(), &options);
        let error = result.expect_err("no certificates");
        assert!(matches!(&error, FetchError::Certificates { .. }), "{error}");
        assert!(
            error.to_string().starts_with(&format!("{}: certificates in PEM format", path.display())),
            "{error}"
        );
        assert!(error.hint().contains("SSL_CERT_FILE") && told.is_empty(), "{told:?}");
    }
}
