-- Asks Keydesk about the API key of a request, and stores the answer in the variables
-- txn.keydesk_…. If anything here fails, txn.keydesk_status is not set, and haproxy.cfg refuses the
-- request.

local url = os.getenv("KEYDESK_FORWARD_AUTH")

core.register_action("keydesk", { "http-req" }, function(txn)
  local sent = txn.http:req_get_headers()
  local headers = { ["x-forwarded-for"] = { txn.f:src() } }
  for _, name in ipairs({ "authorization", "user-agent" }) do
    -- Pass on repeated headers: Keydesk refuses them.
    for _, value in pairs(sent[name] or {}) do
      headers[name] = headers[name] or {}
      table.insert(headers[name], value)
    end
  end

  local answer = core.httpclient():get({ url = url, headers = headers, timeout = 4000 })

  local function keep(variable, header)
    local value = answer.headers[header] and answer.headers[header][0]
    if not value then
      error("Keydesk's answer has no " .. header)
    end
    txn:set_var("txn.keydesk_" .. variable, value)
  end
  if answer.status == 200 then
    keep("company", "x-keydesk-company")
    keep("company_name", "x-keydesk-company-name")
    keep("service_account", "x-keydesk-service-account")
    keep("service_account_name", "x-keydesk-service-account-name")
    keep("key_id", "x-keydesk-key-id")
  elseif answer.status == 401 then
    keep("challenge", "www-authenticate")
  end
  txn:set_var("txn.keydesk_status", answer.status)
end, 0)
