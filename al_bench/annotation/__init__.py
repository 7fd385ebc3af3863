"""What a person says of pictures: how it is asked, and how it comes in and goes out.

All of it meets a run through the run's folder alone: `storage/asked.py` says what is asked, `storage/answers.py` what
was answered.
"""
