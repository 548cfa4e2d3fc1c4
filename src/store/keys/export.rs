//! What an export of the list says about a key, beyond its row on the page.

use std::collections::HashMap;

use diesel::prelude::*;
use tracing::instrument;

use crate::domain::ids::{CompanyId, KeyId, ServiceAccountId};
use crate::domain::practice::finding::Findings;
use crate::store::db::ApiKeys;
use crate::store::error::StoreError;
use crate::store::schema::{api_keys, key_assessments, service_accounts};

/// The service account and the findings of a key.
#[derive(Clone, Debug)]
pub struct KeyExportDetails {
    pub service_account_id: ServiceAccountId,
    pub department: String,
    pub contact: String,
    pub findings: Findings,
}

type Row = (KeyId, ServiceAccountId, String, String, Option<i64>);

impl<A> ApiKeys<'_, A> {
    /// Returns the details of these keys of a company.
    #[instrument(name = "db.keys.export_details", level = "debug", skip_all)]
    pub fn export_details(
        &mut self,
        company_id: CompanyId,
        ids: &[KeyId],
    ) -> Result<HashMap<KeyId, KeyExportDetails>, StoreError> {
        let rows: Vec<Row> = api_keys::table
            .inner_join(service_accounts::table.on(service_accounts::id.eq(api_keys::service_account_id)))
            .left_join(key_assessments::table.on(key_assessments::key_id.eq(api_keys::id)))
            .filter(api_keys::company_id.eq(company_id))
            .filter(api_keys::id.eq_any(ids))
            .select((
                api_keys::id,
                api_keys::service_account_id,
                service_accounts::department,
                service_accounts::contact,
                key_assessments::findings.nullable(),
            ))
            .load(self.connection)?;
        let details = |(id, service_account_id, department, contact, findings): Row| {
            let findings = Findings::from_bits(findings.unwrap_or(0));
            (id, KeyExportDetails { service_account_id, department, contact, findings })
        };
        Ok(rows.into_iter().map(details).collect())
    }
}
