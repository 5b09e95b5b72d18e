//! The data that a command is about: fetched where it is not here, and what is wrong with it.

use crate::command::{download::DownloadProgress, failure::Failure, interrupt, output};
use data::{Corpus, Published, Remark, Source};
use fetch::{FetchError, Fetched, Options};
use std::{
    env,
    path::{Path, PathBuf},
    time::Duration,
};

/// The environment variable that names an address to fetch from instead of the published ones.
const MIRROR: &str = "MNIST_STUDY_MIRROR";

/// The environment variable, known from OpenSSL, that names the certificates to trust.
const CERTIFICATES: &str = "SSL_CERT_FILE";

/// A download that waits for its server when it is asked to end is left after this; what was received is kept in any case.
const PATIENCE: Duration = Duration::from_millis(800);

/// Says how data was read and what is wrong with it, whether or not progress is told.
pub(crate) fn tell(corpus: &Corpus) {
    for remark in corpus.remarks() {
        let sentence = format!("data set {}: {}", corpus.name(), remark.text());
        match remark {
            Remark::Note(_) => output::note(&sentence),
            Remark::Warning(_) => output::warning(&sentence),
        }
    }
}

/// The data that `--dataset` names, fetched if it is a known set that is not here.
pub(crate) fn source(dataset: &str, quiet: bool) -> Result<Source, Failure> {
    let source = Source::parse(dataset)?;
    if !matches!(source, Source::Path { .. }) && Path::new(dataset).exists() {
        output::note(&format!(
            "data set {dataset}: the known set is read, and {dataset} in this folder passed over: ./{dataset} names that"
        ));
    }
    if let Source::Published { set, cache, .. } = &source
        && !set.is_here(cache)
    {
        fetch_set(set, cache, quiet)?;
    }
    Ok(source)
}

/// Fetches what is missing of a known set.
pub(crate) fn fetch_set(set: &'static Published, cache: &Path, quiet: bool) -> Result<Fetched, Failure> {
    let mirror = env::var(MIRROR).ok().filter(|address| !address.is_empty());
    let certificates = env::var_os(CERTIFICATES).filter(|path| !path.is_empty()).map(PathBuf::from);
    let options = Options { mirror, certificates, ..Options::default() };
    let mut progress = DownloadProgress::new(set.name, quiet);
    let _finishing = interrupt::finish_within(PATIENCE);
    let fetched = fetch::fetch(set, cache, &options, &mut |event| {
        progress.event(event);
        interrupt::flow()
    });
    progress.finish();
    fetched.map_err(|error| {
        let hint = error.hint();
        match error {
            FetchError::Interrupted => Failure::interrupted(format!("{}: {error}", set.name), hint),
            error if error.is_passing() => Failure::passing(error, hint),
            error => Failure::new(error, hint),
        }
    })
}
