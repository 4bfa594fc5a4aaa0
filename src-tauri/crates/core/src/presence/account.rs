//! As whom the job runs. Never as root by accident: an administrator says who it is, or `sudo` does.

use gatehouse_api::{Code, ErrorEnvelope, PresenceScope, say};
use gatehouse_host::account::Account;

use super::Wish;

pub(super) fn of(wish: &Wish) -> Result<Account, ErrorEnvelope> {
    let sudo = wish.environment.get("SUDO_USER").filter(|name| !name.is_empty() && *name != "root");
    match (wish.scope, &wish.user) {
        (PresenceScope::User, Some(_)) => Err(ErrorEnvelope::new(
            Code::Usage,
            say!("core.presence.user-needs-system"),
            say!("core.presence.user-needs-system-because"),
        )),
        (PresenceScope::User, None) => match sudo {
            Some(name) if gatehouse_host::process::uid() == 0 => Err(ErrorEnvelope::new(
                Code::Usage,
                say!("core.presence.without-sudo"),
                say!("core.presence.without-sudo-because", user = name),
            )
            .fix_with(say!("core.presence.without-sudo-fix"), "gatehouse service install")),
            _ => mine(wish),
        },
        (PresenceScope::System, Some(name)) => named(name),
        (PresenceScope::System, None) => match sudo {
            Some(name) => named(name),
            None if gatehouse_host::process::uid() == 0 => Err(ErrorEnvelope::new(
                Code::Usage,
                say!("core.presence.who"),
                say!("core.presence.who-because"),
            )
            .fix_with(say!("core.presence.who-fix"), "gatehouse service install --scope system --user NAME")),
            None => mine(wish),
        },
    }
}

/// This user, with the home folder that this process has: what the user's own programs take for it.
fn mine(wish: &Wish) -> Result<Account, ErrorEnvelope> {
    let account = Account::current().ok_or_else(|| unknown(&gatehouse_host::process::uid().to_string()))?;
    let home = wish.environment.get("HOME").map(std::path::PathBuf::from).filter(|home| home.is_absolute());
    Ok(Account { home: home.unwrap_or(account.home), ..account })
}

fn named(name: &str) -> Result<Account, ErrorEnvelope> {
    Account::named(name).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> ErrorEnvelope {
    let because = say!("core.presence.no-user-because", name = name);
    ErrorEnvelope::new(Code::NotFound, say!("core.presence.no-user"), because)
}
