//! A disk that writes down what is done to it.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::disk::{Disk, System};

/// One thing that happened to a disk.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    /// A new file with this content, none of which lasts yet. Files are told apart by number, for names change.
    Write { file: usize, path: PathBuf, bytes: Vec<u8> },
    /// The content of a file lasts.
    Sync { file: usize },
    /// A name of a folder leads elsewhere.
    Rename { from: PathBuf, to: PathBuf },
    /// A name is gone.
    Remove { path: PathBuf },
    /// A new folder.
    CreateDir { path: PathBuf },
    /// What happened to a folder's names lasts.
    SyncDir { path: PathBuf },
    /// The caller was told that everything up to here is done.
    Promised,
}

/// In which order a file is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The order of the real one, which syncs the file before it gets its name, and the folder after.
    SyncFirst,
    /// The mistake that the simulation must be able to see.
    SyncLast,
}

/// Does to the disk what it is told, unsynced, and writes it down as the system calls that it stands for.
pub(super) struct Recorder {
    root: PathBuf,
    order: Order,
    log: RefCell<Vec<Change>>,
    files: RefCell<usize>,
}

impl Recorder {
    /// Paths are noted as below `root`.
    pub(super) fn new(root: &Path, order: Order) -> Rc<Self> {
        Rc::new(Self {
            root: root.to_path_buf(),
            order,
            log: RefCell::new(Vec::new()),
            files: RefCell::new(0),
        })
    }

    /// Notes that the caller knows all of it to be done.
    pub(super) fn promise(&self) {
        self.note(Change::Promised);
    }

    pub(super) fn changes(&self) -> Vec<Change> {
        self.log.borrow().clone()
    }

    fn own(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap_or(path).to_path_buf()
    }

    fn note(&self, change: Change) {
        self.log.borrow_mut().push(change);
    }
}

impl Disk for Recorder {
    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        std::fs::write(path, bytes)?;
        let file = self.files.replace_with(|files| *files + 1);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Six letters, as the real ones have.
        let temporary = self.own(path).with_file_name(format!(".{name}.T{file:05}"));
        let sync = Change::Sync { file };
        self.note(Change::Write {
            file,
            path: temporary.clone(),
            bytes: bytes.to_vec(),
        });
        if self.order == Order::SyncFirst {
            self.note(sync.clone());
        }
        self.note(Change::Rename {
            from: temporary,
            to: self.own(path),
        });
        self.sync_dir(path.parent().unwrap_or(path))?;
        if self.order == Order::SyncLast {
            self.note(sync);
        }
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        System.rename(from, to)?;
        let (from, to) = (self.own(from), self.own(to));
        self.note(Change::Rename { from, to });
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        System.remove_file(path)?;
        let path = self.own(path);
        self.note(Change::Remove { path });
        Ok(())
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        System.create_dir(path)?;
        let path = self.own(path);
        self.note(Change::CreateDir { path });
        Ok(())
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        System.remove_dir(path)?;
        let path = self.own(path);
        self.note(Change::Remove { path });
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let path = self.own(path);
        self.note(Change::SyncDir { path });
        Ok(())
    }
}

thread_local! {
    static RECORDER: RefCell<Option<Rc<Recorder>>> = const { RefCell::new(None) };
}

/// The disk of this thread's tests.
pub(crate) fn disk() -> impl Disk {
    let recorder = RECORDER.with_borrow(Clone::clone);
    Shared(recorder.map_or_else(system, |recorder| recorder as Rc<dyn Disk>))
}

fn system() -> Rc<dyn Disk> {
    Rc::new(System)
}

/// Lets this thread's store write to a recorder while `work` is done.
pub(super) fn recording<R>(recorder: &Rc<Recorder>, work: impl FnOnce() -> R) -> R {
    RECORDER.set(Some(Rc::clone(recorder)));
    let outcome = work();
    RECORDER.set(None);
    outcome
}

struct Shared(Rc<dyn Disk>);

impl Disk for Shared {
    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.0.replace(path, bytes)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.0.remove_file(path)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.0.create_dir(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.0.remove_dir(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.0.sync_dir(path)
    }
}
