"""The rows of the star schema as Pydantic models, and how a record becomes one."""
