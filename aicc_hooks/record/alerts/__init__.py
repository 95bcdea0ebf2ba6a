"""Alerts: rules over the record and the health of the gateway, told to the log, macOS or a webhook.

Import from the modules: the policy needs `config` alone, and must not pay for an HTTP client.
"""
