"""What the addresses under /api answer, field by field, as their OpenAPI document tells it.

Exact numbers and dates are written as texts; what is not known is null. No other field comes.
"""
