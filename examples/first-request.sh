curl -sS http://127.0.0.1:8080/plugins/webhooks/zapier \
  -H 'Authorization: Bearer example-only-zapier-secret' -H 'Content-Type: application/json' \
  -d '{"action": "create_flow", "goal": "Review inbound queue"}'
