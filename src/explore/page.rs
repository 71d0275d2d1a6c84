//! The page: one file that needs nothing else.

use std::sync::LazyLock;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

/// The page without how it looks and what it does.
const TEMPLATE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = concat!(include_str!("page/page.js"), include_str!("page/photo.js"));

/// The page's text.
pub(super) static HTML: LazyLock<String> =
    LazyLock::new(|| TEMPLATE.replace("{{style}}", STYLE).replace("{{script}}", SCRIPT));

/// What the page may do (Content Security Policy, level 3): run its own script and ask this server, nothing else.
pub(super) static POLICY: LazyLock<String> = LazyLock::new(|| {
    let of = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; script-src {}; style-src {}; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        of(SCRIPT),
        of(STYLE)
    )
});
