//! Landlock: which files may be opened, and for what.

use std::io;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, LandlockStatus, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};
use nix::unistd::getuid;

use crate::{Isolation, IsolationError, NOBODY, SYSTEM_FOLDERS};

/// Files that programs read at their start, and devices that give nothing away. Nothing else of `/etc`, `/dev`, `/proc`
/// and `/sys`: there are password hashes, terminals, other processes.
const SYSTEM_FILES: [&str; 6] = [
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/ssl/openssl.cnf",
    "/dev/zero",
    "/dev/random",
    "/dev/urandom",
];

/// The newest version whose rights are asked for; an older kernel enforces those that it knows.
const NEWEST: ABI = ABI::V10;

/// Restricts this process to reading and executing, and to writing where a compiler may.
pub(crate) fn restrict(isolation: &Isolation) -> Result<String, IsolationError> {
    let read: BitFlags<AccessFs> = AccessFs::ReadFile | AccessFs::ReadDir | AccessFs::Execute;
    let named = [&isolation.folder].into_iter().chain(&isolation.readable);
    let named = named.map(|path| (path, read));
    let products = isolation.products.iter().map(|path| (path, AccessFs::from_all(NEWEST)));
    let named: Vec<(PathFd, BitFlags<AccessFs>)> = named
        .chain(products)
        .map(|(path, access)| {
            let file = PathFd::new(path);
            let file =
                file.map_err(|error| IsolationError::File(path.clone(), io::Error::other(error)))?;
            Ok((file, access))
        })
        .collect::<Result<_, _>>()?;
    let status = ruleset(named, read)
        .map_err(|error| IsolationError::Missing(format!("Landlock: {error}")))?;
    let missing = |what: &str| match isolation.without_landlock && getuid().as_raw() == NOBODY {
        true => Ok("no Landlock: files by their permissions alone".to_owned()),
        false => Err(IsolationError::Missing(format!("the kernel {what}"))),
    };
    match status.landlock {
        LandlockStatus::NotImplemented => {
            missing("has no Landlock, which is in Linux 5.13 and later")
        }
        LandlockStatus::NotEnabled => missing(
            "has Landlock, but it is not among the security modules that were turned on (lsm=landlock,...)",
        ),
        _ if status.ruleset == RulesetStatus::NotEnforced => {
            missing("did not enforce Landlock's rules")
        }
        LandlockStatus::Available { effective_abi, .. } => {
            let also = match effective_abi as i32 {
                6.. => ", TCP, signals, abstract sockets",
                4.. => ", TCP",
                _ => "",
            };
            Ok(format!("Landlock {} (files{also})", effective_abi as i32))
        }
    }
}

fn ruleset(
    named: Vec<(PathFd, BitFlags<AccessFs>)>,
    read: BitFlags<AccessFs>,
) -> Result<landlock::RestrictionStatus, RulesetError> {
    Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        // Those of another system than Debian's need not exist.
        .add_rules(path_beneath_rules(SYSTEM_FOLDERS.iter().chain(&SYSTEM_FILES), read))?
        .add_rules(path_beneath_rules(["/dev/null"], AccessFs::ReadFile | AccessFs::WriteFile))?
        .add_rules(
            named
                .into_iter()
                .map(|(path, access)| Ok::<_, RulesetError>(PathBeneath::new(path, access))),
        )?
        .restrict_self()
}
