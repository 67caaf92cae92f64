//! What a disk may hold after a power cut.
//!
//! What was synced lasts. Of everything else the worst is assumed that a file system may do: of the changes to a folder's names
//! since its last sync any may be missing, each for itself, and the content of a file that was not synced is all there, is not
//! there, ends early, or is something else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::recorder::Change;

/// Files with their bytes, and folders.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Tree {
    pub(super) folders: Vec<PathBuf>,
    pub(super) files: BTreeMap<PathBuf, Vec<u8>>,
}

/// What a name leads to.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Entry {
    Folder,
    File(usize),
}

/// A change to the names of one folder.
#[derive(Debug, Clone)]
enum Naming {
    Put(PathBuf, Entry),
    Move(PathBuf, PathBuf),
    Gone(PathBuf),
}

#[derive(Debug, Default)]
struct Content {
    bytes: Vec<u8>,
    is_synced: bool,
}

/// What is on the disk, and what is only on its way there.
#[derive(Debug, Default)]
struct Machine {
    lasting: BTreeMap<PathBuf, Entry>,
    pending: Vec<Naming>,
    contents: BTreeMap<usize, Content>,
}

/// The disk after a cut behind some changes; `draw(n)` gives a number below `n`.
pub(super) fn after(changes: &[Change], draw: &mut dyn FnMut(usize) -> usize) -> Tree {
    let mut machine = Machine::default();
    for change in changes {
        machine.take(change);
    }
    machine.cut(draw)
}

impl Machine {
    fn take(&mut self, change: &Change) {
        match change {
            Change::Write { file, path, bytes } => {
                let (bytes, is_synced) = (bytes.clone(), false);
                self.contents.insert(*file, Content { bytes, is_synced });
                self.pending.push(Naming::Put(path.clone(), Entry::File(*file)));
            }
            Change::Sync { file } => {
                if let Some(content) = self.contents.get_mut(file) {
                    content.is_synced = true;
                }
            }
            Change::Rename { from, to } => self.pending.push(Naming::Move(from.clone(), to.clone())),
            Change::Remove { path } => self.pending.push(Naming::Gone(path.clone())),
            Change::CreateDir { path } => self.pending.push(Naming::Put(path.clone(), Entry::Folder)),
            Change::SyncDir { path } => {
                let pending = std::mem::take(&mut self.pending);
                for naming in pending {
                    if naming.folder() == Some(path) {
                        naming.apply(&mut self.lasting, None);
                    } else {
                        self.pending.push(naming);
                    }
                }
            }
            Change::Promised => {}
        }
    }

    fn cut(self, draw: &mut dyn FnMut(usize) -> usize) -> Tree {
        let Self {
            mut lasting,
            pending,
            contents,
        } = self;
        // A rename whose file's first name never lasted still can.
        let mut seen = lasting.clone();
        // None, all, or each for itself.
        let way = draw(3);
        for naming in pending {
            let source = naming.source().and_then(|from| seen.get(from).copied());
            naming.apply(&mut seen, None);
            if way == 1 || (way == 2 && draw(2) == 1) {
                naming.apply(&mut lasting, source);
            }
        }
        let mut tree = Tree::default();
        for (path, entry) in &lasting {
            // What lies in a folder that is not there is not there either.
            let is_reached = |folder: &Path| lasting.get(folder).is_none_or(|entry| *entry == Entry::Folder);
            let folders = path.ancestors().skip(1);
            let is_below_all = folders.clone().all(is_reached) && has_folders(&lasting, path);
            match entry {
                _ if !is_below_all => {}
                Entry::Folder => tree.folders.push(path.clone()),
                Entry::File(file) => {
                    let content = contents.get(file).map_or_else(Vec::new, |content| content.after(draw));
                    tree.files.insert(path.clone(), content);
                }
            }
        }
        tree
    }
}

/// Whether the folder of a path is there; the first one always is.
fn has_folders(lasting: &BTreeMap<PathBuf, Entry>, path: &Path) -> bool {
    path.parent().is_none_or(|folder| {
        folder.as_os_str().is_empty() || (lasting.get(folder) == Some(&Entry::Folder) && has_folders(lasting, folder))
    })
}

impl Naming {
    /// The folder whose names it changes.
    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Put(path, _) | Self::Move(_, path) | Self::Gone(path) => path.parent(),
        }
    }

    fn source(&self) -> Option<&PathBuf> {
        match self {
            Self::Move(from, _) => Some(from),
            Self::Put(..) | Self::Gone(_) => None,
        }
    }

    /// Changes names; `moved` is what is moved where its old name is not there.
    fn apply(&self, names: &mut BTreeMap<PathBuf, Entry>, moved: Option<Entry>) {
        match self {
            Self::Put(path, entry) => {
                names.insert(path.clone(), *entry);
            }
            Self::Move(from, to) => {
                let own = names.remove(from);
                if let Some(entry) = own.or(moved) {
                    names.insert(to.clone(), entry);
                }
            }
            Self::Gone(path) => {
                names.remove(path);
            }
        }
    }
}

impl Content {
    fn after(&self, draw: &mut dyn FnMut(usize) -> usize) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        if self.is_synced {
            return bytes;
        }
        match draw(5) {
            0 => bytes,
            1 => Vec::new(),
            2 => {
                bytes.truncate(draw(bytes.len() + 1));
                bytes
            }
            3 => {
                // The length is there, the blocks are not.
                let start = draw(bytes.len() + 1);
                bytes[start..].fill(0);
                bytes
            }
            _ => {
                for _ in 0..8 {
                    let at = draw(bytes.len().max(1));
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = draw(256) as u8;
                    }
                }
                bytes
            }
        }
    }
}
