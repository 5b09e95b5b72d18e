//! Downloads of published data sets: resumable, verified, from mirrors.
//!
//! [`fetch`] makes a set of [`data::published()`] loadable: it verifies what is in the cache, downloads what is not, and
//! unpacks what came in an archive. Nothing takes its name before its digest is the published one.
//!
//! A download goes into `NAME.part` beside its place. It stays there when the connection, the disk or the user ends it,
//! and the next one asks for the rest (HTTP `Range`); a server that sends everything again is obeyed. Addresses are tried
//! in the order of the registry; a passing fault is waited out a few times, any other leads to the next address.
//!
//! EMNIST is one archive of 562 MB for all of its parts. It is kept beside the parts, so that a second part needs no second
//! download; whoever needs the space may delete it, since a part's four files are its own.
//!
//! Files are written where they stand, never through a link that somebody put in their place, and only plain files are read. Of
//! two processes that fetch the same file one waits for the other. A request has a thread of its own, so that the listener is
//! asked ten times a second whatever a server does, and can end it.
//!
//! Nothing is printed: what happens is told to a listener, which may also end it.

mod archive;
mod download;
mod error;
mod http;
mod own;
mod part;

use data::{Download, Origin, Published};
use std::{
    fs, io,
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::Duration,
};

pub use error::{Attempt, FetchError, Missing};

/// How a download goes on, for whoever shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A file is asked for, from where it was left.
    Requested {
        /// Its name.
        file: &'a str,
        /// Its address, without a user's name and password.
        url: &'a str,
        /// What is here already.
        received_bytes: u64,
    },
    /// There is more of the file, or a wait for it goes on.
    Received {
        /// Its name.
        file: &'a str,
        /// What is here, earlier downloads included.
        received_bytes: u64,
        /// Its length, where that is known.
        total_bytes: Option<u64>,
    },
    /// An address did not give the file; it may be asked again.
    Failed {
        /// The address, without a user's name and password.
        url: &'a str,
        /// What was expected and what was found.
        problem: &'a str,
    },
    /// Another process is fetching the file; this one waits for it.
    Waiting {
        /// Its name.
        file: &'a str,
    },
    /// A file's digest is being taken.
    Verifying {
        /// Its name.
        file: &'a str,
    },
    /// A file in the cache is not as published: it will be replaced.
    Damaged {
        /// Its name.
        file: &'a str,
    },
    /// A member of an archive is being unpacked.
    Unpacking {
        /// Its name.
        file: &'a str,
    },
    /// A file is in its place and verified.
    Ready {
        /// Its name.
        file: &'a str,
        /// Its length.
        bytes: u64,
        /// Whether any of it was downloaded now.
        downloaded: bool,
    },
}

/// Is told what happens; [`ControlFlow::Break`] ends the download, and what was received is kept.
pub type Listener<'a> = dyn FnMut(Event) -> ControlFlow<()> + 'a;

/// Where and how patiently to ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// An address to ask instead of the published ones: it is followed by the set's folder and the file's name.
    pub mirror: Option<String>,
    /// A file of certificates in PEM format, which alone are trusted in the place of Mozilla's.
    pub certificates: Option<PathBuf>,
    /// How long to wait for what.
    pub patience: Patience,
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the head of an answer, from the request on.
    pub answer: Duration,
    /// For the next byte, and for the next thousand.
    pub silence: Duration,
    /// Before an address is asked again; each further time takes twice as long.
    pub pause: Duration,
    /// How often an address is asked that brings nothing new.
    pub attempts: u32,
}

impl Default for Patience {
    /// A slow server answers within seconds, and a mobile connection comes back within half a minute.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            answer: Duration::from_secs(30),
            silence: Duration::from_secs(30),
            pause: Duration::from_secs(1),
            attempts: 3,
        }
    }
}

/// A set that can be loaded now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The folder of its files.
    pub folder: PathBuf,
    /// Its files.
    pub files: Vec<FetchedFile>,
    /// What went over the network, failed attempts included.
    pub downloaded_bytes: u64,
}

/// A file of a set that can be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedFile {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
}

/// Makes a set loadable from its folder in `cache`: verifies, downloads and unpacks what is needed.
///
/// # Errors
/// [`FetchError::Unreachable`] when no address gave a file, with each one's problem and what to put where by hand;
/// [`FetchError::Interrupted`] by the listener; [`FetchError::File`] when the disk does not read or write;
/// [`FetchError::Busy`] while another process holds the same and does not go on; [`FetchError::Certificates`] for a file of
/// certificates that is none; [`FetchError::Archive`] for an archive without the set.
///
/// # Panics
/// For the set that is inside the program.
pub fn fetch(
    set: &Published,
    cache: &Path,
    options: &Options,
    listener: &mut Listener,
) -> Result<Fetched, FetchError> {
    let folder = set.folder(cache);
    let client = http::Client::new(options)?;
    let mut task = Task { set, client, options, listener, downloaded_bytes: 0 };
    match &set.origin {
        Origin::Embedded | Origin::Coloured | Origin::Shifted => panic!("{}: inside the program", set.name),
        Origin::Files(_) | Origin::Containers(_) => {
            let files = set.downloads();
            for (index, file) in files.iter().enumerate() {
                task.file(file, set.name, &folder)
                    .map_err(|error| error.with_missing(&files[index..], &folder))?;
            }
        }
        Origin::Archive { folder: shared, archive, members } => {
            if !archive::is_unpacked(&folder, members, task.listener)? {
                let shared_folder = cache.join(shared);
                task.file(archive, shared, &shared_folder)
                    .map_err(|error| error.with_missing(std::slice::from_ref(archive), &shared_folder))?;
                archive::unpack(&shared_folder.join(archive.name), members, &folder, task.listener)?;
            }
        }
    }
    let downloaded_bytes = task.downloaded_bytes;
    let names = set.file_names().expect("a set with files");
    let files = names.into_iter().map(|name| {
        let path = folder.join(name);
        let bytes = fs::metadata(&path).map_err(|error| FetchError::file(&path, &error))?.len();
        Ok(FetchedFile { name: name.to_owned(), bytes })
    });
    let files = files.collect::<Result<_, _>>()?;
    Ok(Fetched { folder, files, downloaded_bytes })
}

/// What a set's files have in common while they are fetched.
struct Task<'a, 'b> {
    set: &'a Published,
    client: http::Client,
    options: &'a Options,
    listener: &'a mut Listener<'b>,
    downloaded_bytes: u64,
}

impl Task<'_, '_> {
    /// Makes one published file be in `folder`, whose name on a mirror of everything is `remote`.
    fn file(&mut self, file: &Download, remote: &str, folder: &Path) -> Result<(), FetchError> {
        let path = folder.join(file.name);
        if self.is_whole(file, &path)? {
            return Ok(());
        }
        let addresses: Vec<http::Address> = match &self.options.mirror {
            Some(mirror) => {
                vec![http::Address::new(format!("{}/{remote}/{}", mirror.trim_end_matches('/'), file.name))]
            }
            None => file
                .mirrors
                .iter()
                .map(|mirror| http::Address::new(format!("{mirror}{}", file.name)))
                .collect(),
        };
        self.download(file, &addresses, &path)
    }

    /// Whether a file is in its place as it was published, which the listener is told then.
    fn is_whole(&mut self, file: &Download, path: &Path) -> Result<bool, FetchError> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(FetchError::file(path, &error)),
        };
        let bytes = metadata.len();
        // What is longer than it can be is not read to its end.
        let possible = file.bytes.map_or(bytes <= file.most_bytes(), |expected| expected == bytes);
        if possible || !metadata.is_file() {
            self.tell(Event::Verifying { file: file.name })?;
            if part::digest_of(path, file.name, file.digest, self.listener)? == file.digest.digits() {
                self.tell(Event::Ready { file: file.name, bytes, downloaded: false })?;
                return Ok(true);
            }
        }
        self.tell(Event::Damaged { file: file.name })?;
        Ok(false)
    }

    fn tell(&mut self, event: Event) -> Result<(), FetchError> {
        tell(self.listener, event)
    }
}

/// Tells the listener, and ends when it says so.
fn tell(listener: &mut Listener, event: Event) -> Result<(), FetchError> {
    match listener(event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(FetchError::Interrupted),
    }
}
