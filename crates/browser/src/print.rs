//! A page as PDF.

use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};

use crate::error::BrowserError;
use crate::page::{Page, decoded};
use crate::start::text;

/// How a page is printed. The size of the paper and its margins are those of the page's `@page`, if
/// it has such a rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PrintSettings {
    /// HTML above each page; `None` for nothing.
    pub header: Option<String>,
    /// HTML below each page; `None` for nothing.
    pub footer: Option<String>,
    /// How long the browser may take; `None` for the page's own limit.
    pub limit: Option<Duration>,
}

/// How much of the file is asked for at a time, in bytes.
const PIECE: usize = 1 << 20;

impl Page {
    /// Prints the page, with its backgrounds, a structure for screen readers, and an outline made
    /// from its headings.
    ///
    /// # Errors
    /// If the browser does not print it within the limit, or `out` cannot be written.
    pub fn print(
        &mut self,
        settings: &PrintSettings,
        out: &mut impl Write,
    ) -> Result<(), BrowserError> {
        let method = "Page.printToPDF";
        let blank = "<span></span>";
        let params = json!({
            "printBackground": true,
            "preferCSSPageSize": true,
            "generateTaggedPDF": true,
            "generateDocumentOutline": true,
            "displayHeaderFooter": settings.header.is_some() || settings.footer.is_some(),
            "headerTemplate": settings.header.as_deref().unwrap_or(blank),
            "footerTemplate": settings.footer.as_deref().unwrap_or(blank),
            // In one message a long document would be too long.
            "transferMode": "ReturnAsStream",
        });
        let usual = self.limit();
        self.set_limit(settings.limit.unwrap_or(usual));
        let answer = self.command(method, &params);
        self.set_limit(usual);
        let stream = text(&answer?, method, "stream")?;
        let copied = self.copy(&stream, out);
        self.command("IO.close", &json!({ "handle": stream }))?;
        copied
    }

    fn copy(&mut self, stream: &str, out: &mut impl Write) -> Result<(), BrowserError> {
        let method = "IO.read";
        loop {
            let answer = self.command(method, &json!({ "handle": stream, "size": PIECE }))?;
            let data = text(&answer, method, "data")?;
            let bytes = match answer["base64Encoded"] {
                Value::Bool(true) => decoded(&data, method)?,
                _ => data.into_bytes(),
            };
            out.write_all(&bytes).map_err(|cause| BrowserError::File {
                operation: "write",
                path: "the PDF".into(),
                cause,
            })?;
            if answer["eof"] == true {
                return Ok(());
            }
        }
    }
}
