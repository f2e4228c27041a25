"""MLflow tracking: run rows, metric ingestion and the reader of metrics."""
