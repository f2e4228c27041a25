"""Train a classifier of handwritten digits; nothing in here knows of Workbench."""

import argparse
import json
from pathlib import Path

import joblib
import mlflow
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--learning-rate", type=float, default=0.01)
    parser.add_argument("--model-folder", type=Path, default=Path("outputs"))
    arguments = parser.parse_args()

    images, digits = load_digits(return_X_y=True)
    scaler = StandardScaler().fit(images)
    train_x, test_x, train_y, test_y = train_test_split(
        scaler.transform(images), digits, test_size=0.25, random_state=0, stratify=digits
    )

    # Parameters, training metrics and a confusion matrix of what is fitted.
    mlflow.sklearn.autolog(log_models=False, silent=True)
    baseline = LogisticRegression(max_iter=100).fit(train_x, train_y)
    print(f"baseline   accuracy {baseline.score(test_x, test_y):.4f}")

    model = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=arguments.learning_rate, random_state=0)
    for epoch in range(1, arguments.epochs + 1):
        model.partial_fit(train_x, train_y, classes=range(10))
        loss = log_loss(test_y, model.predict_proba(test_x))
        accuracy = model.score(test_x, test_y)
        mlflow.log_metrics({"val_loss": loss, "val_accuracy": accuracy}, step=epoch)
        print(f"epoch {epoch:3d}  loss {loss:.4f}  accuracy {accuracy:.4f}")

    arguments.model_folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, arguments.model_folder / "model.joblib")
    Path("outputs").mkdir(exist_ok=True)
    Path("outputs/summary.json").write_text(json.dumps({"accuracy": accuracy, "loss": loss}, indent=1))


if __name__ == "__main__":
    main()
