//! Downloads the requests with a key by hour, as CSV.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, ContentDisposition, DispositionParam, DispositionType};
use actix_web::web::Path;

use crate::domain::key::usage::{HourlyUsage, start_of_hour};
use crate::domain::text::csv::write_row;
use crate::web::app::error::PageError;
use crate::web::app::page_context::PageContext;
use crate::web::pages::api_keys::show;

const HEADER: [&str; 3] = ["hour", "accepted", "refused"];
const CONTENT_TYPE: &str = "text/csv; charset=utf-8";

/// Sends the hours with requests, the oldest first. They are kept for 90 days, so that the file has 2,161 rows at most.
pub async fn csv(cx: PageContext, id: Path<String>) -> Result<HttpResponse, PageError> {
    let key = show::load::key(&cx, &id).await?;
    let key_id = key.id;
    let hours = cx.query(move |db| db.usage().hours(key_id, i64::MIN)).await?;
    let file = ContentDisposition {
        disposition: DispositionType::Attachment,
        parameters: vec![DispositionParam::Filename(format!("usage-{key_id}.csv"))],
    };
    Ok(HttpResponse::Ok().content_type(CONTENT_TYPE).insert_header((CONTENT_DISPOSITION, file)).body(rows(&hours)))
}

fn rows(hours: &[HourlyUsage]) -> String {
    let mut out = String::new();
    write_row(&HEADER, &mut out);
    for hour in hours {
        let start = start_of_hour(hour.hour).to_rfc_3339().unwrap_or_default();
        write_row(&[&start, &hour.accepted.to_string(), &hour.refused.to_string()], &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hour_with_requests_is_a_row() {
        let hours = [HourlyUsage { hour: 498_729, accepted: 12, refused: 0 }];
        assert_eq!(rows(&hours), "hour,accepted,refused\r\n2026-11-23T09:00:00Z,12,0\r\n");
    }
}
