//! Requests and answers that documents show, against those of a gateway.

mod admin;
mod clients;
mod others;
mod shape;

use super::markdown::{self, Block};

/// Blocks that tests below look at: the document, and how the block begins.
const COVERED: [(&str, &str); 15] = [
    ("docs/API.md", clients::REQUEST),
    ("docs/API.md", clients::ANSWER),
    ("docs/API.md", clients::TGI_ERROR),
    ("docs/API.md", clients::OPENAI_ERROR),
    ("docs/API.md", clients::DECISION),
    ("docs/API.md", clients::MODELS),
    ("docs/API.md", admin::ENDPOINTS),
    ("README.md", others::REFUSED_RELOAD),
    ("README.zh-CN.md", others::REFUSED_RELOAD),
    ("README.md", others::FILTER),
    ("README.zh-CN.md", others::FILTER),
    ("monitoring/README.md", others::SCRAPED),
    ("scripts/README.md", others::SCRIPTS_REQUEST),
    ("stub/README.md", others::STUB_SESSION),
    ("stub/README.md", others::FAULTS),
];

/// Whether a test below looks at a block.
pub(super) fn covers(block: &Block) -> bool {
    let is_there = |(file, begins): &(&str, &str)| {
        let place = block.place.strip_prefix(file);
        place.is_some_and(|line| line.starts_with(':')) && block.text.starts_with(begins)
    };
    COVERED.iter().any(is_there)
}

/// One of them.
#[track_caller]
fn block(file: &str, begins: &str) -> Block {
    assert!(COVERED.contains(&(file, begins)), "{begins}");
    markdown::block(file, begins)
}
